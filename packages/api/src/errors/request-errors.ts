/** Refusals of a request: its form, its credentials, its address. A part of the registry in `errors.ts`. */
export const requestErrors = {
  malformed_request: {
    status: 400,
    message: 'The request is malformed.',
    hint: 'Send well-formed JSON with the documented fields.',
  },
  invalid_input: {
    status: 422,
    message: 'A field of the request has an invalid value.',
    hint: 'Correct the named field.',
  },
  invalid_name: {
    status: 422,
    message: 'The name is not a valid image name.',
    hint: 'Use a file name of at most 255 bytes without slashes, control characters or a leading dot.',
  },
  unsupported_media_type: {
    status: 415,
    message: 'The body has the wrong content type.',
    hint: 'Send application/json.',
  },
  payload_too_large: {
    status: 413,
    message: 'The body is too large.',
    hint: 'Shorten the longest field.',
  },
  unauthenticated: {
    status: 401,
    message: 'You are not signed in.',
    hint: 'Sign in, or send a bearer token.',
  },
  page_key_missing: {
    status: 401,
    message: 'The cookie alone gives no access: the page key of the session is missing.',
    hint: 'Sign in again. A program uses a token, or sends the page key of its sign-in.',
  },
  wrong_credentials: {
    status: 401,
    message: 'The name or the password is wrong.',
    hint: 'Check both; user names are lower case.',
  },
  link_used: {
    status: 401,
    message: 'The sign-in link is no longer valid.',
    hint: 'Restart wcc for a new link, or sign in with your password.',
  },
  forbidden: {
    status: 403,
    message: 'You do not have the right to do this.',
    hint: 'Ask an administrator.',
  },
  foreign_origin: {
    status: 403,
    message: 'The request has no Origin header, or comes from another origin.',
    hint: 'Open the console at its own address; behind a proxy, set --public-url.',
  },
  foreign_host: {
    status: 403,
    message: 'The server does not answer to the host name of this request.',
    hint: 'Use the address that wcc prints at its start, or set --public-url.',
  },
  not_found: {
    status: 404,
    message: 'It does not exist, or you do not have access to it.',
    hint: 'Check the id.',
  },
  endpoint_removed: {
    status: 410,
    message: 'A newer version of wcc removed this address.',
    hint: 'Upgrade the client.',
  },
  method_not_allowed: {
    status: 405,
    message: 'This address does not accept the method.',
    hint: 'See the API documentation.',
  },
  upgrade_required: {
    status: 426,
    message: 'This address accepts WebSocket connections only.',
    hint: 'Open it as a WebSocket with the subprotocol wcc.v1.',
  },
  exists: {
    status: 409,
    message: 'The name is taken.',
    hint: 'Choose another name.',
  },
  invalid_state: {
    status: 409,
    message: 'The current state does not allow this.',
    hint: 'Check the state and the actions that it allows.',
  },
  last_admin: {
    status: 409,
    message: 'This is the last administrator.',
    hint: 'Make another user an administrator first.',
  },
  idempotency_conflict: {
    status: 422,
    message: 'Another request already used this Idempotency-Key.',
    hint: 'Use a new key for a new request.',
  },
  rate_limited: {
    status: 429,
    message: 'Too many requests.',
    hint: 'Wait as long as Retry-After says.',
  },
  sign_in_busy: {
    status: 503,
    message: 'The server checks too many passwords now.',
    hint: 'Wait as long as Retry-After says, then sign in again.',
  },
  too_many_tickets: {
    status: 429,
    message: 'Too many unused tickets.',
    hint: 'Use the tickets that you have, or wait 30 seconds.',
  },
  too_many_watchers: {
    status: 429,
    message: 'You have too many connections for live progress.',
    hint: 'Close a page or a program that watches; the limit is 16.',
  },
} as const;
