import { createServer } from "node:http";
import { format, total } from "./cart.js";

const port = Number(process.env.PORT ?? 3000);
const cart = [
  { name: "notebook", cents: 450, quantity: 2 },
  { name: "pencil", cents: 120 },
];

createServer((request, response) => {
  response.setHeader("content-type", "text/plain");
  response.end(`Your cart: ${format(total(cart))}\n`);
}).listen(port, () => console.log(`Listening on http://localhost:${port}`));
