// SPDX-License-Identifier: Apache-2.0
//
// polkadot-api against a running node: one signed call of each of our pallets, then every event of
// the blocks since and every storage item, decoded with nothing but the chain's own metadata.

import { decAnyMetadata, unifyMetadata } from "@polkadot-api/substrate-bindings";
import { sr25519CreateDerive } from "@polkadot-labs/hdkd";
import { DEV_MINI_SECRET, ss58Address } from "@polkadot-labs/hdkd-helpers";
import { createClient } from "polkadot-api";
import { getPolkadotSigner } from "polkadot-api/signer";
import { getWsProvider } from "polkadot-api/ws";
import { WebSocket } from "ws";
import { check, main, OURS, Tally, UNIT } from "./plan.mjs";

function key(path) {
  const pair = sr25519CreateDerive(DEV_MINI_SECRET)(path);
  return {
    address: ss58Address(pair.publicKey, 42),
    signer: getPolkadotSigner(pair.publicKey, "Sr25519", pair.sign),
  };
}

const enumerated = (type, value) => ({ type, value });

/** One call of each of our pallets: business is entered. */
function calls({ program, now }) {
  const set = enumerated("set_parameter", {
    key_value: enumerated("Shares", enumerated("JobBurn", [110_000])),
  });
  return [
    { pallet: "Tna", call: "burn", input: { amount: UNIT } },
    {
      pallet: "ComputeStaking",
      call: "register_node",
      input: {
        operator: key("//Dave//operator").address,
        ask: UNIT / 2n,
        capability: { memory_mib: 1024, giga_macs: 10 },
        endpoint: Buffer.from("http://127.0.0.1:9980"),
        bond: 5_000n * UNIT,
      },
    },
    { pallet: "Poc", call: "register_program", input: { bytes: program, hint: Buffer.from("file:///x") } },
    {
      pallet: "Escrow",
      call: "submit_job",
      input: {
        request: {
          program: undefined,
          blobs: [`0x${"01".repeat(32)}`],
          hint: Buffer.from("file:///x"),
          iterations: 1,
          max_price: UNIT,
          deadline: now + 1_000,
          compliance_level: 0,
        },
      },
    },
    { pallet: "Governance", call: "set_parameter", root: enumerated("Governance", set) },
    { pallet: "Compliance", call: "apply", input: undefined },
    { pallet: "ConsensusChain", call: "join", input: undefined },
    { pallet: "Validators", call: "bond_more", input: { amount: UNIT }, from: "//Alice//stash" },
  ];
}

/** The program's id, from the event of its registration. */
let registered;

async function submit(api, signer, { pallet, call, input, root }) {
  const transaction = root
    ? api.tx.Sudo.sudo({ call: root })
    : api.tx[pallet][call](input);
  const result = await transaction.signAndSubmit(signer);
  if (!result.ok) throw new Error(`${pallet}.${call}: ${describe(result.dispatchError)}`);
  const failed = result.events.find(
    ({ type, value }) => type === "Sudo" && value.type === "Sudid" && !value.value.sudo_result.success,
  );
  if (failed) throw new Error(`${pallet}.${call} as root: ${describe(failed.value.value)}`);
  if (!result.events.some(({ type }) => type === pallet || (root && type === "Sudo"))) {
    throw new Error(`${pallet}.${call} caused no event of its pallet`);
  }
  console.log(`${pallet}.${call}: block ${result.block.number}`);
  return result;
}

function describe(error) {
  return JSON.stringify(error, (_, value) => (typeof value === "bigint" ? `${value}` : value));
}

main(async ({ url, program }) => {
  const client = createClient(getWsProvider(url, { websocketClass: WebSocket }));
  const api = client.getUnsafeApi();
  const first = await client.getFinalizedBlock();
  const metadata = unifyMetadata(decAnyMetadata(await client.getMetadata(first.hash)));
  const pallets = metadata.pallets.map(({ name }) => name);

  const planned = calls({ program, now: first.number });
  check(pallets, planned);
  for (const plan of planned) {
    if (plan.pallet === "Escrow") plan.input.request.program = registered;
    const from = key(plan.root ? "//Alice" : (plan.from ?? "//Dave"));
    const result = await submit(api, from.signer, plan);
    const event = result.events.find(({ value }) => value.type === "ProgramRegistered");
    if (event) registered = event.value.value.program;
  }

  const last = await client.getFinalizedBlock();
  const events = new Tally();
  let hash = last.hash;
  for (let number = last.number; number > first.number; number -= 1) {
    for (const { event } of await api.query.System.Events.getValue({ at: hash })) events.add(event.type);
    for (const extrinsic of await client.getBlockBody(hash)) {
      if (extrinsic.length === 0) throw new Error(`block ${number} has an empty extrinsic`);
    }
    hash = (await client.getBlockHeader(hash)).parentHash;
  }
  console.log(`events of ${last.number - first.number} blocks: ${events}`);
  for (const pallet of OURS.filter((pallet) => pallet !== "Governance")) {
    if (!events.has(pallet)) throw new Error(`no event of ${pallet} was decoded`);
  }

  const items = new Tally();
  let entries = 0;
  for (const { name: pallet, storage } of metadata.pallets) {
    for (const item of storage?.items ?? []) {
      const query = api.query[pallet][item.name];
      if (item.type.tag === "plain") {
        await query.getValue({ at: last.hash });
      } else {
        entries += (await query.getEntries({ at: last.hash })).length;
      }
      items.add(pallet);
    }
  }
  console.log(`storage items: ${items.total()} of ${pallets.length} pallets, ${entries} entries of maps`);
  for (const pallet of OURS) {
    if (!items.has(pallet)) throw new Error(`no item of ${pallet} was decoded`);
  }

  let constants = 0;
  for (const { name: pallet, constants: all } of metadata.pallets) {
    for (const { name } of all) {
      await api.constants[pallet][name]();
      constants += 1;
    }
  }
  console.log(`constants: ${constants}`);
  client.destroy();
});
