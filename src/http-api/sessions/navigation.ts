import { IntegrationError } from '../../errors';
import type { EdgeRequest } from '../request';

/**
 * A flow is a page that a person sees: never an image, a frame, a script's request or a preview (https://www.w3.org/TR/fetch-metadata/).
 * A browser that does not say what it loads is let through: no flow may rest on this alone.
 * @throws IntegrationError `forbidden`
 */
export function assertNavigation(request: EdgeRequest, method: 'GET' | 'POST'): void {
  const destination = request.headers['sec-fetch-dest'];
  if (request.method !== method || (destination !== undefined && destination !== 'document')) {
    throw new IntegrationError('forbidden', {
      detail: 'This address has to be opened in a browser window of its own.',
      nextStep: 'Open it again from your application.',
    });
  }
}
