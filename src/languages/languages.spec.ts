import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acceptedLanguage, ENGLISH, languageFor, languagesOf, readLanguageFiles } from '.';

const [, chinese] = languagesOf({});

describe('a language', () => {
  it('fills in, writes numbers in its way, and falls back to English where it lacks a word', () => {
    expect(chinese!.say('news.connected', { provider: 'Slack' })).toBe('Slack 已连接。');
    expect(ENGLISH.say('sync.runningOf', { fetched: 1300, total: 3000 })).toBe('Syncing: 1,300 of 3,000 fetched');
    const [german] = languagesOf({ de: { name: 'Deutsch', words: { 'card.connect': 'Verbinden' } } }).filter(({ tag }) => tag === 'de');
    expect([german!.say('card.connect'), german!.say('card.disconnect')]).toEqual(['Verbinden', 'Disconnect']);
    expect(german!.number(1300)).toBe('1.300');
  });

  it('keeps what is filled in as it is, braces and all', () => {
    expect(ENGLISH.say('news.connected', { provider: '{provider} $& <b>' })).toBe('{provider} $& <b> is connected.');
    expect(ENGLISH.parts('news.connected', { provider: { any: 1 } })).toEqual(['', { any: 1 }, ' is connected.']);
  });

  it.each([
    [0, 'just now', '刚刚'],
    [-20, 'just now', '刚刚'],
    [60, '1 minute ago', '1分钟前'],
    [2 * 3600, '2 hours ago', '2小时前'],
    [86_400, 'yesterday', '昨天'],
    [-3 * 3600, 'in 3 hours', '3小时后'],
  ])('says of %i seconds ago "%s" and "%s"', (seconds, english, inChinese) => {
    const now = Date.UTC(2026, 0, 10, 12);
    const at = new Date(now - seconds * 1000);
    expect([ENGLISH.relativeTime(at, now), chinese!.relativeTime(at, now)]).toEqual([english, inChinese]);
  });

  it('knows a sentence that is declared elsewhere by its own words, by those of its declaration, or leaves it', () => {
    const own = { zh: { 'Read files': '读取文件' } };
    expect([chinese!.text('Read files', own), chinese!.text('Not found'), chinese!.text('Something new')]).toEqual([
      '读取文件',
      '未找到',
      'Something new',
    ]);
    expect([chinese!.translated('Something new'), chinese!.translated('constructor')]).toEqual([undefined, undefined]);
  });

  it('is written from the right where that is its way', () => {
    const [hebrew] = languagesOf({ he: { name: 'עברית', words: {} } }).filter(({ tag }) => tag === 'he');
    expect([ENGLISH.direction, hebrew!.direction]).toEqual(['ltr', 'rtl']);
  });
});

describe('the choice of a language', () => {
  const all = languagesOf({ 'pt-BR': { name: 'Português', words: {} } });
  it.each([
    ['zh-CN,zh;q=0.9,en;q=0.8', 'zh'],
    ['fr, en;q=0.5', 'en'],
    ['en;q=0.5, zh;q=0.6', 'zh'],
    ['pt', 'pt-BR'],
    ['pt-PT', 'pt-BR'],
    ['zh;q=0, en', 'en'],
    ['fr', undefined],
    ['*', undefined],
    ['', undefined],
    [undefined, undefined],
    [`${'x-'.repeat(5_000)}`, undefined],
  ])('%p: %p', (header, tag) => expect(acceptedLanguage(header, all)?.tag).toBe(tag));

  it('takes the very one before one that is near', () => {
    const both = languagesOf({ 'zh-TW': { name: '繁體中文', words: {} } });
    expect([languageFor('zh-tw', both)?.tag, languageFor('zh-HK', both)?.tag]).toEqual(['zh-TW', 'zh']);
  });
});

describe('languages of a folder', () => {
  const folderOf = (files: Readonly<Record<string, string>>) => {
    const folder = mkdtempSync(join(tmpdir(), 'languages-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return folder;
  };

  it('are read, change those that there are, and may leave words out or have old ones', () => {
    const faults: string[] = [];
    const files = readLanguageFiles(
      folderOf({
        'de.json': '{"name":"Deutsch","words":{"card.connect":"Verbinden","card.gone":"Weg"}}',
        'en.json': '{"name":"English","words":{"integrations.title":"Connected apps"}}',
        'README.md': 'not one',
      }),
      faults,
    );
    const all = languagesOf(files);
    expect(faults).toEqual([]);
    expect(all.map(({ tag }) => tag)).toEqual(['en', 'zh', 'de']);
    expect([all[0]!.say('integrations.title'), all[0]!.say('card.connect')]).toEqual(['Connected apps', 'Connect']);
  });

  it('say what is wrong with them, all together', () => {
    const faults: string[] = [];
    readLanguageFiles(
      folderOf({
        'de.json': '{"name":"Deutsch","words":{"news.connected":"Verbunden."}}',
        'fr.json': 'no JSON',
        'German words.json': '{"name":"x","words":{}}',
        'it.json': '{"words":{}}',
      }),
      faults,
    );
    readLanguageFiles('/nowhere/at/all', faults);
    expect(faults.sort()).toEqual([
      'LANGUAGES_DIR: "German words.json" is not named after a language, like de.json or pt-BR.json',
      'LANGUAGES_DIR: de.json: "news.connected" has to hold {provider}',
      expect.stringMatching(/^LANGUAGES_DIR: fr.json is not of the form/),
      expect.stringMatching(/^LANGUAGES_DIR: it.json is not of the form/),
      'LANGUAGES_DIR: there is no such folder, or it cannot be read',
    ]);
  });
});
