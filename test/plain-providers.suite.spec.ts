import { PLAIN_PROVIDERS } from '../src/providers';
import { describeProvider } from './provider.suite';
import { plainSubject } from './support/plain-subject';
import { IN_FULL } from './support/providers-in-full';

for (const key of IN_FULL) describeProvider(plainSubject(PLAIN_PROVIDERS.find((each) => each.key === key)!));
