import OAuth2Strategy from 'passport-oauth2';
import { exchangeCodeWith } from './passport-seam';

const strategy = () =>
  new OAuth2Strategy(
    {
      authorizationURL: 'https://provider.example/authorize',
      tokenURL: 'https://provider.example/token',
      clientID: 'id',
      clientSecret: 'secret',
      callbackURL: 'https://ours.example/callback',
      skipUserProfile: true,
    },
    (accessToken: string, _refreshToken: string, _profile: unknown, done: OAuth2Strategy.VerifyCallback) => done(null, { accessToken }),
  );

it('hands the code of a callback to our exchange, as passport-oauth2 itself would', async () => {
  const made = strategy();
  const asked: unknown[] = [];
  exchangeCodeWith(made, (code, params, callback) => {
    asked.push({ code, params });
    callback(null, 'token-1');
  });
  const user = await new Promise((success, error) => {
    Object.assign(made, { success, error, fail: error });
    made.authenticate({ query: { code: 'code-1' } } as never, {});
  });
  expect(user).toEqual({ accessToken: 'token-1' });
  expect(asked).toEqual([{ code: 'code-1', params: { grant_type: 'authorization_code', redirect_uri: 'https://ours.example/callback' } }]);
});

it('says where to look when the member is gone', () => {
  const made = strategy();
  Object.assign(made, { _oauth2: {} });
  expect(() => exchangeCodeWith(made, () => undefined)).toThrow('passport-seam.ts');
});
