import assert from "node:assert/strict";
import { test } from "node:test";
import { format, total } from "../src/cart.js";

test("an empty cart costs nothing", () => {
  assert.equal(total([]), 0);
});

test("quantities count", () => {
  assert.equal(total([{ cents: 450, quantity: 2 }, { cents: 120 }]), 1020);
});

test("prices have two decimals and a currency", () => {
  assert.equal(format(1020, "EUR"), "10.20 EUR");
});
