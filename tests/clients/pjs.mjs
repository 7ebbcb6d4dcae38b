// SPDX-License-Identifier: Apache-2.0
//
// @polkadot/api against a running node on which papi.mjs has been: one signed call of each of our
// pallets that undoes what that client did, then every event of the blocks since and every storage
// item, decoded with nothing but the chain's own metadata.

import { ApiPromise, Keyring, WsProvider } from "@polkadot/api";
import { check, main, OURS, Tally, UNIT } from "./plan.mjs";

/** The names by which this client knows pallets and calls: camel case. */
const camel = (name) =>
  name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase()).replace(/^[A-Z]/, (letter) => letter.toLowerCase());

/** One call of each of our pallets: business is left again. */
async function calls(api) {
  const [[jobKey]] = await api.query.escrow.jobs.entries();
  const [[programKey]] = await api.query.poc.programs.entries();
  const [job, program] = [jobKey.args[0], programKey.args[0]];
  return [
    { pallet: "Tna", call: "burn", input: [UNIT] },
    { pallet: "ComputeStaking", call: "deregister_node", input: [] },
    { pallet: "Escrow", call: "cancel_job", input: [job] },
    { pallet: "Poc", call: "unregister_program", input: [program] },
    {
      pallet: "Governance",
      call: "set_parameter",
      input: [{ Shares: { JobBurn: [null, null] } }],
      root: true,
    },
    { pallet: "Compliance", call: "resign", input: [] },
    { pallet: "ConsensusChain", call: "leave", input: [] },
    { pallet: "Validators", call: "unbond", input: [UNIT], from: "//Alice//stash" },
  ];
}

function submit(api, signer, { pallet, call, input, root }) {
  const inner = api.tx[camel(pallet)][camel(call)](...input);
  const transaction = root ? api.tx.sudo.sudo(inner) : inner;
  return new Promise((resolve, reject) => {
    transaction
      .signAndSend(signer, ({ status, events, dispatchError }) => {
        if (dispatchError) {
          const error = dispatchError.isModule
            ? api.registry.findMetaError(dispatchError.asModule).name
            : `${dispatchError}`;
          reject(new Error(`${pallet}.${call}: ${error}`));
        } else if (status.isFinalized) {
          const sudid = events.find(({ event }) => api.events.sudo.Sudid.is(event));
          if (sudid && sudid.event.data[0].isErr) {
            reject(new Error(`${pallet}.${call} as root: ${sudid.event.data[0]}`));
          }
          console.log(`${pallet}.${call}: block ${status.asFinalized.toHex().slice(0, 10)}…`);
          resolve();
        } else if (status.isInvalid || status.isDropped || status.isUsurped) {
          reject(new Error(`${pallet}.${call}: ${status.type}`));
        }
      })
      .catch(reject);
  });
}

main(async ({ url }) => {
  const api = await ApiPromise.create({ provider: new WsProvider(url), noInitWarn: true });
  const pallets = api.runtimeMetadata.asLatest.pallets.map(({ name }) => name.toString());
  const keyring = new Keyring({ type: "sr25519", ss58Format: 42 });
  const first = (await api.rpc.chain.getHeader(await api.rpc.chain.getFinalizedHead())).number.toNumber();

  const planned = await calls(api);
  check(pallets, planned);
  for (const plan of planned) {
    const from = plan.root ? "//Alice" : (plan.from ?? "//Dave");
    await submit(api, keyring.addFromUri(from), plan);
  }

  const last = await api.rpc.chain.getFinalizedHead();
  const events = new Tally();
  const height = (await api.rpc.chain.getHeader(last)).number.toNumber();
  for (let number = first + 1; number <= height; number += 1) {
    const hash = await api.rpc.chain.getBlockHash(number);
    const at = await api.at(hash);
    for (const { event } of await at.query.system.events()) events.add(event.section);
    // Decodes every extrinsic as well.
    await api.rpc.chain.getBlock(hash);
  }
  console.log(`events of ${height - first} blocks: ${events}`);
  for (const pallet of OURS.filter((name) => name !== "Governance").map(camel)) {
    if (!events.has(pallet)) throw new Error(`no event of ${pallet} was decoded`);
  }

  const at = await api.at(last);
  const items = new Tally();
  let entries = 0;
  for (const [pallet, storage] of Object.entries(at.query)) {
    for (const item of Object.values(storage)) {
      // Well-known keys are under the name of their own, and are no pallet's.
      if (!item.creator?.meta?.type || pallet === "substrate") continue;
      if (item.creator.meta.type.isPlain) {
        await item();
      } else {
        entries += (await item.entries()).length;
      }
      items.add(pallet);
    }
  }
  console.log(`storage items: ${items.total()}, ${entries} entries of maps`);
  for (const pallet of OURS) {
    if (!items.has(camel(pallet))) throw new Error(`no item of ${pallet} was decoded`);
  }
  const constants = Object.values(api.consts).reduce((sum, all) => sum + Object.keys(all).length, 0);
  console.log(`constants: ${constants}`);
  await api.disconnect();
});
