import { expect, it } from 'vitest';
import { createLogger } from './log.ts';

it('the log hides secrets of a logged request, answer or body', () => {
  let text = '';
  const logger = createLogger('info', { write: (line) => (text += line) });
  const headers = {
    authorization: 'Bearer SECRET',
    cookie: 'wcc_sid=SECRET',
    'set-cookie': 'wcc_sid=SECRET',
    'sec-websocket-protocol': 'wcc.v1, wcc.ticket.SECRET',
    host: 'kept',
  };
  logger.info({ headers });
  logger.info({ request: { headers, body: { name: 'kept', password: 'SECRET', secret: 'SECRET' } } });
  logger.info({ password: 'SECRET', ticket: 'SECRET', token: 'SECRET', user: { passwordHash: 'SECRET' } });
  expect(text).not.toContain('SECRET');
  expect(text.match(/kept/g)).toHaveLength(3);
  expect(text.match(/\[redacted\]/g)?.length).toBeGreaterThanOrEqual(14);
});
