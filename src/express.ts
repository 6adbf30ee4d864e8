/** Trestle in an application on Express: what `import ... from 'trestle/express'` gives. Needs @nestjs/platform-express beside it. */
export { ExpressEdgeAdapter } from './http-api/edge/express-edge-adapter';
