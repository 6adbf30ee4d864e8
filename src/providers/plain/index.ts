/** The plain providers: a file each, and here one line each. */
export { airtable } from './airtable';
export { asana } from './asana';
export { datadog } from './datadog';
export { freshdesk } from './freshdesk';
export { gitlab } from './gitlab';
export { notion } from './notion';
export { paypal } from './paypal';
export { quickbooks } from './quickbooks';
export { salesforce } from './salesforce';
export { shopify } from './shopify';
export { typeform } from './typeform';
