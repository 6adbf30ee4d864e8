import { html } from './html';

describe('html', () => {
  it('escapes what comes from outside', () => {
    expect(html`<p title="${`"><script>alert('x')</script>`}">${'a & b'}</p>`.text).toBe(
      '<p title="&#34;&#62;&#60;script&#62;alert(&#39;x&#39;)&#60;/script&#62;">a &#38; b</p>',
    );
  });

  it('keeps what it made itself, in lists too', () => {
    expect(
      html`<ul>
        ${['<a>', 'b'].map((item) => html`<li>${item}</li>`)}
      </ul>`.text.replace(/\s+</g, '<'),
    ).toBe('<ul><li>&#60;a&#62;</li><li>b</li></ul>');
  });

  it('writes nothing for what is not there', () => {
    expect(html`<b>${null}${undefined}${false}${0}</b>`.text).toBe('<b>0</b>');
  });
});
