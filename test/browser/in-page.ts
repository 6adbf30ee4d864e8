/** What the tests ask of a page, run inside it: text, because the types of a browser are no part of this project. */

/** What sticks out of the window to the right, where something does. */
export const OVERFLOWING = `(() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return undefined;
  const sticksOut = (element) => element.getBoundingClientRect().right > width + 1 && !element.closest('.scroll, .unseen, .skip');
  return [...document.querySelectorAll('body *')].find(sticksOut)?.outerHTML.slice(0, 200) ?? 'something';
})()`;

/** Texts whose contrast to what is behind them is below 4.5 to 1 (https://www.w3.org/TR/WCAG21/#contrast-minimum). */
export const FAINT_TEXTS = `(() => {
  const channels = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    if (!element) return 'rgb(255, 255, 255)';
    const color = getComputedStyle(element).backgroundColor;
    return (channels(color)[3] ?? 1) === 0 ? behind(element.parentElement) : color;
  };
  const isFaint = (element) => {
    const [light, dark] = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05) < 4.5;
  };
  return [...document.querySelectorAll('h1, h2, h3, p, span, a, button, label, summary, time, th, td')]
    .filter((element) => element.textContent.trim() && !element.closest('.unseen, .skip') && isFaint(element))
    .map((element) => element.outerHTML.slice(0, 120));
})()`;

export const FOCUSED_ID = `document.activeElement?.id`;
export const FOCUSED_TEXT = `document.activeElement?.textContent.trim().replace(/\\s+/g, ' ')`;
/** Changes when the page is loaded anew. */
export const LOADED_AT = `performance.timeOrigin`;

/** Parts that scroll sideways, and what of them is out of sight; a payload may. */
export const OFF_SCREEN = `[...document.querySelectorAll('.scroll, dialog')]
  .filter((part) => !part.querySelector('pre') && part.scrollWidth > part.clientWidth + 1)
  .map((part) => part.getAttribute('aria-label') + ': ' + part.scrollWidth + ' of ' + part.clientWidth)`;

/** Texts of which a part is not shown. */
export const CUT_TEXTS = `[...document.querySelectorAll('body *')]
  .filter((element) => {
    const { overflowX, overflowY } = getComputedStyle(element);
    const hides = (axis) => axis === 'hidden' || axis === 'clip';
    return !element.closest('.unseen, svg') && element.textContent.trim() &&
      ((hides(overflowX) && element.scrollWidth > element.clientWidth + 1) || (hides(overflowY) && element.scrollHeight > element.clientHeight + 1));
  })
  .map((element) => element.outerHTML.slice(0, 120))`;

/** Buttons and fields without an edge: what a background says is lost where the reader forces colors. */
export const BORDERLESS = `[...document.querySelectorAll('button, select, input:not([type=hidden]), .pill')]
  .filter((element) => element.checkVisibility() && !['radio', 'checkbox'].includes(element.type) && parseFloat(getComputedStyle(element).borderTopWidth) < 1)
  .map((element) => element.outerHTML.slice(0, 120))`;
