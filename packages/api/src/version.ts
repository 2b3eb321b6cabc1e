/** Version of this package. All packages of wcc have the same version. */
export const version = '0.2.0';

/** Header of every answer of the API; its value is the server's version. Servers before 0.2.0 do not send it. */
export const versionHeader = 'wcc-version';

/** A page sends this header without input of a person: the request does not count as use of the session. */
export const unattendedHeader = 'wcc-unattended';

/**
 * The second secret of a session, beside its cookie. Only pages of the console's origin know it: a browser sends the
 * cookie to every port of the host, this header never.
 */
export const pageKeyHeader = 'wcc-page-key';
