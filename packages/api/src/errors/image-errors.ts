/** Codes of actions on images: a part of the one registry in `errors.ts`. */
export const imageErrors = {
  image_in_use: {
    status: 409,
    message: 'The image is in use.',
    hint: 'Wait for what uses it to end, or end it.',
  },
  range_unsatisfiable: {
    status: 416,
    message: 'The range lies beyond the end of the image.',
    hint: 'Ask for bytes that exist; Content-Range tells how many there are.',
  },
  image_protected: {
    status: 409,
    message: 'The image is a template: protected from deletion.',
    hint: 'Take the template mark away first.',
  },
  image_too_large: {
    status: 422,
    message: 'The image is larger than this server takes.',
    hint: 'An administrator can allow more by --max-virtual-size.',
  },
  import_refused: {
    status: 422,
    message: 'This address may not be fetched from.',
    hint: 'Use a public http or https address; an administrator can allow others by --import-allow.',
  },
  import_failed: {
    status: 502,
    message: 'The other server did not deliver the file.',
    hint: 'Open the address in a browser; try again later.',
  },
  tool_missing: {
    status: 503,
    message: 'A program that this needs is not installed on the server.',
    hint: 'Install the package that is named.',
  },
} as const;
