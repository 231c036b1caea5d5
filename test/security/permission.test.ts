import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requireWritePermission } from '../../src/security/permission.js';

let server: Server;
let requests: { path: string; authorization: string | undefined }[];
let answer: (login: string) => { status: number; body: object };

beforeEach(async () => {
  requests = [];
  answer = () => ({ status: 200, body: { permission: 'write' } });
  server = createServer((request, response) => {
    requests.push({ path: request.url ?? '', authorization: request.headers.authorization });
    const login = /collaborators\/([^/]+)\/permission/.exec(request.url ?? '')?.[1] ?? '';
    const { status, body } = answer(login);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

function checkPermission(
  logins: string[],
  more: { token?: string; apiUrl?: string; allowedBots?: string[] } = {},
) {
  const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const actors = logins.map((login) => ({ login, isBot: login.endsWith('[bot]') }));
  return requireWritePermission(actors, {
    repository: 'o/r',
    token: 't-1',
    apiUrl,
    allowedBots: [],
    ...more,
  });
}

describe('requireWritePermission', () => {
  it('looks up each login with the token, and resolves if all may write', async () => {
    answer = (login) => ({ status: 200, body: { permission: login === 'ada' ? 'admin' : 'write' } });
    await checkPermission(['ada', 'bob']);
    expect(requests).toEqual(
      ['ada', 'bob'].map((login) => ({
        path: `/repos/o/r/collaborators/${login}/permission`,
        authorization: 'token t-1',
      })),
    );
  });

  it('sends no request for an empty list, even without a token', async () => {
    await checkPermission([], { token: '' });
    expect(requests).toEqual([]);
  });

  it('reports everyone who may not write together', async () => {
    const permissions: Record<string, string> = { ada: 'write', eve: 'read', mal: 'none' };
    answer = (login) => ({ status: 200, body: { permission: permissions[login] } });
    await expect(checkPermission(['ada', 'eve', 'mal'])).rejects.toMatchObject({
      name: 'UserError',
      problems: [
        expect.stringContaining('eve has the permission "read"'),
        expect.stringContaining('mal has'),
      ],
    });
  });

  it('refuses a login that GitHub does not know', async () => {
    answer = () => ({ status: 404, body: { message: 'Not Found' } });
    await expect(checkPermission(['ghost'])).rejects.toThrow('ghost has the permission "none" in o/r');
  });

  it('refuses bots that are not named, without a request', async () => {
    await expect(checkPermission(['renovate[bot]'])).rejects.toThrow('renovate[bot] is a bot');
    const allowedBots = ['renovate-2[bot]', 'renovat', 'eno'];
    await expect(checkPermission(['renovate[bot]'], { allowedBots })).rejects.toThrow('is a bot');
    expect(requests).toEqual([]);
  });

  it.each(['renovate', 'renovate[bot]', 'Renovate[bot]'])('accepts the bot that %s names', async (name) => {
    await checkPermission(['renovate[bot]'], { allowedBots: [name] });
    expect(requests).toEqual([]);
    answer = () => ({ status: 200, body: { permission: 'read' } });
    await expect(checkPermission(['renovate'], { allowedBots: [name] })).rejects.toThrow('renovate has');
  });

  it('refuses an actor that the event does not name', async () => {
    await expect(checkPermission(['ada', ''])).rejects.toThrow('does not name everybody');
  });

  it.each([401, 403])('reports that the token is invalid if GitHub answers %i', async (status) => {
    answer = () => ({ status, body: { message: 'no' } });
    await expect(checkPermission(['ada'])).rejects.toThrow(
      `status ${status}. Set \`github-token\` to a valid token`,
    );
  });

  it('refuses if GitHub does not answer', async () => {
    answer = () => ({ status: 503, body: { message: 'try later' } });
    await expect(checkPermission(['ada'])).rejects.toThrow(
      /did not report whether ada may write.*503.*Re-run the job/s,
    );
    await expect(checkPermission(['ada'], { apiUrl: 'http://127.0.0.1:1' })).rejects.toThrow(
      /did not report.*Re-run the job/s,
    );
  });

  it('refuses without a token', async () => {
    await expect(checkPermission(['ada'], { token: '' })).rejects.toThrow('Input `github-token` is empty');
  });
});
