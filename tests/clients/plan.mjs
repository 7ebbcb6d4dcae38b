// SPDX-License-Identifier: Apache-2.0
//
// What both clients do: one signed call of each pallet that is TensorNet's own. The first client
// enters business, the second one undoes what can be undone, so that both can run on one chain.

import { readFile } from "node:fs/promises";

/** Pallets that are TensorNet's own, by their names in the runtime. */
export const OURS = [
  "Tna",
  "ComputeStaking",
  "Escrow",
  "Poc",
  "Governance",
  "Compliance",
  "ConsensusChain",
  "Validators",
];

/** One TNA in plancks. */
export const UNIT = 1_000_000_000_000n;

/** Where the node is, and the program that the first client registers. */
export async function options() {
  const [url, program] = process.argv.slice(2);
  if (!url || !program) {
    throw new Error(`usage: node ${process.argv[1]} ws://127.0.0.1:9944 PROGRAM-FILE`);
  }
  return { url, program: await readFile(program) };
}

/** Fails unless the chain has exactly the pallets of ours that a client has a call for. */
export function check(chainPallets, calls) {
  const here = OURS.filter((pallet) => chainPallets.includes(pallet));
  const missing = here.filter((pallet) => !calls.some((call) => call.pallet === pallet));
  if (missing.length > 0) throw new Error(`no call for ${missing.join(", ")}`);
  const absent = OURS.filter((pallet) => !here.includes(pallet));
  if (absent.length > 0) throw new Error(`the chain has no pallet ${absent.join(", ")}`);
}

/** Counts what was decoded, by pallet. */
export class Tally {
  #counts = new Map();

  add(pallet, count = 1) {
    this.#counts.set(pallet, (this.#counts.get(pallet) ?? 0) + count);
  }

  has(pallet) {
    return this.#counts.has(pallet);
  }

  total() {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  toString() {
    return [...this.#counts].map(([pallet, count]) => `${pallet} ${count}`).join(", ");
  }
}

/** Runs a client to its end; a failure is the exit status. */
export async function main(client) {
  const timer = setTimeout(() => fail(new Error("not done within four minutes")), 240_000);
  try {
    await client(await options());
    clearTimeout(timer);
    process.exit(0);
  } catch (error) {
    fail(error);
  }
}

function fail(error) {
  console.error(error);
  process.exit(1);
}
