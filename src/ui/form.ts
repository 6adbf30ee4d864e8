import { html, type Html } from '../http-api';

export interface ActionForm {
  readonly to: string;
  readonly label: string;
  readonly csrfToken: string;
  /** Unique on the page: keeps the focus when the page is brought up to date. */
  readonly id: string;
  readonly kind?: 'primary' | 'danger' | 'plain';
  /** What the button is for, where its label is not enough out of context. */
  readonly about?: string;
  /** Asked by the script before the form is sent; without a script the server asks. */
  readonly question?: string;
  /** What the script asks with the question: fields of the form. */
  readonly asked?: Html;
  /** Further hidden fields. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** A form of one button; carries the session's CSRF token. */
export function actionForm({ to, label, csrfToken, id, kind = 'plain', about, question, asked, fields = {} }: ActionForm): Html {
  return html`<form method="post" action="${to}" ${question && html`data-question="${question}"`}>
    ${hiddenFields({ _csrf: csrfToken, ...fields })} ${asked && html`<template>${asked}</template>`}
    <button id="${id}" class="${kind}">${label}${about && html`<span class="unseen"> ${about}</span>`}</button>
  </form>`;
}

/** The form that the buttons of a table's rows send: one for all of them. Once on a page. */
export function rowsForm(csrfToken: string, fields: Readonly<Record<string, string>> = {}): Html {
  return html`<form id="rows" method="post">${hiddenFields({ _csrf: csrfToken, ...fields })}</form>`;
}

/** A button of a row, on a page with a `rowsForm`. */
export function rowButton({ to, label, id, about }: Pick<ActionForm, 'to' | 'label' | 'id' | 'about'>): Html {
  return html`<button form="rows" formaction="${to}" id="${id}">${label}${about && html`<span class="unseen"> ${about}</span>`}</button>`;
}

export function hiddenFields(fields: Readonly<Record<string, string | undefined>>): Html {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return html`${given.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}`;
}

export interface Choice {
  readonly value: string;
  readonly label: string;
}

export function select(name: string, label: string, choices: readonly Choice[], chosen: string | undefined, fault?: string): Html {
  return html`<label
    >${label}
    <select name="${name}" ${faultyBy(name, fault)}>
      <option value="">All</option>
      ${choices.map(({ value, label: text }) => html`<option value="${value}" ${value === chosen && html`selected`}>${text}</option>`)}
    </select>
    ${faultBeside(name, fault)}</label
  >`;
}

export interface TextFieldOptions {
  /** What is wrong with the value: a sentence. */
  readonly fault?: string;
  readonly type?: 'text' | 'datetime-local' | 'search';
}

export function textField(name: string, label: string, value: string | undefined, { fault, type = 'text' }: TextFieldOptions = {}): Html {
  // A browser shows nothing of a time that it cannot read: the person is to see what they wrote.
  const kind = fault === undefined ? type : 'text';
  return html`<label
    >${label}
    <input type="${kind}" name="${name}" value="${value}" autocomplete="off" spellcheck="false" ${faultyBy(name, fault)} />
    ${faultBeside(name, fault)}</label
  >`;
}

function faultyBy(name: string, fault: string | undefined): Html | undefined {
  return fault === undefined ? undefined : html`aria-invalid="true" aria-describedby="fault-${name}"`;
}

function faultBeside(name: string, fault: string | undefined): Html | undefined {
  return fault === undefined ? undefined : html`<span class="bad" id="fault-${name}" role="alert">${fault}</span>`;
}

/** Filters of a list: a plain GET, so that the address can be kept and shared. Folded on a phone, unless it `isOpen`; `set` says how many are. */
export function filterForm(path: string, fields: readonly Html[], { set, isOpen }: { set: number; isOpen: boolean }): Html {
  return html`<details class="filter" ${isOpen && html`open`}>
    <summary>Filter${set > 0 && ` (${set})`}</summary>
    <form class="filter" method="get" action="${path}" role="search">
      ${fields}
      <button>Show</button>
      <a href="${path}">Clear</a>
    </form>
  </details>`;
}
