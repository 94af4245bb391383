import type { FastifyInstance, FastifyRequest } from 'fastify';

const bodyBytesMax = 512 << 10;

const isEmpty = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';

/** What holds of the routes under `/api/`, which take far less than a completion. */
export const shapeApiRoutes = (server: FastifyInstance): void => {
  server.addHook('onRoute', (route) => {
    if (route.url.startsWith('/api/')) route.bodyLimit = bodyBytesMax;
  });
  server.addHook('onRequest', (request, _reply, done) => {
    // Many clients name a content type on every request: nothing is no broken JSON.
    if (request.method === 'DELETE' && isEmpty(request)) delete request.headers['content-type'];
    done();
  });
};
