/** The sum of a cart's items, in cents. */
export function total(items) {
  return items.reduce((sum, item) => sum + item.cents * (item.quantity ?? 1), 0);
}

/** A price for people, such as "12.50 EUR". */
export function format(cents, currency = process.env.CURRENCY ?? "EUR") {
  return `${(cents / 100).toFixed(2)} ${currency}`;
}
