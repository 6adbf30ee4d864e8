import type { PlainProvider } from '../../integrations';

export const deepgram: PlainProvider = {
  key: 'deepgram',
  name: 'Deepgram',
  docs: 'https://developers.deepgram.com/reference/authentication',
  checked: { at: '2026-11-27', against: 'public source code' },
  apiBaseUrl: 'https://api.deepgram.com/v1/',
  apiKey: { help: 'In the Deepgram console: an API key.' },
  account: { path: 'projects', id: '/projects/0/project_id', name: '/projects/0/name' },
  credential: { in: 'header', name: 'authorization', prefix: 'Token ' },
};
