/** Version of this package. All packages of wcc have the same version. */
export const version = '0.2.0';

/** Header of every answer of the API; its value is the server's version. Servers before 0.2.0 do not send it. */
export const versionHeader = 'wcc-version';
