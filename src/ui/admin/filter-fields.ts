import { html, type Html, type SessionPrincipal } from '../../http-api';
import { filterForm, select, textField, type Choice } from '../form';
import { fieldTime, type Filters } from './list-query';

/** The fields of a filter form, as they were filled in. */
export class FilterFields {
  private readonly shown: Html[] = [];
  private readonly names = new Set<string>();

  constructor(private readonly filters: Filters<unknown>) {}

  select(name: string, label: string, choices: readonly Choice[]): this {
    return this.add(name, select(name, label, choices, this.filters.given[name], this.filters.faults[name]));
  }

  text(name: string, label: string): this {
    return this.add(name, textField(name, label, this.filters.given[name], { fault: this.filters.faults[name] }));
  }

  /** The organization, for who sees more than one. */
  tenant({ role }: SessionPrincipal): this {
    return role === 'operator' ? this.text('tenant', 'Organization') : this;
  }

  /** User, account, from and to: `whoseFields`. */
  whose(): this {
    return this.text('userId', 'User').text('account', 'Account').time();
  }

  /** From and to. */
  time(): this {
    const { given, faults } = this.filters;
    for (const [name, label] of [
      ['from', 'From (UTC)'],
      ['to', 'To (UTC)'],
    ] as const)
      this.add(name, textField(name, label, fieldTime(given[name]), { fault: faults[name], type: 'datetime-local' }));
    return this;
  }

  /** The form; below it, where something is wrong, that nothing is shown. */
  form(path: string): Html {
    const set = [...this.names].filter((name) => this.filters.given[name]?.trim()).length;
    const isOpen = set > 0 || this.filters.values === undefined;
    const others = Object.entries(this.filters.faults).filter(([name]) => !this.names.has(name));
    return html`${this.shown.length > 0 && filterForm(path, this.shown, { set, isOpen })}
    ${others.map(([name, fault]) => html`<p class="bad" role="alert"><code>${name}</code>: ${fault}</p>`)}
    ${this.filters.values === undefined && html`<p class="empty">Nothing is shown until the filter is put right.</p>`}`;
  }

  private add(name: string, field: Html): this {
    this.names.add(name);
    this.shown.push(field);
    return this;
  }
}
