// SPDX-License-Identifier: Apache-2.0

mod bond_more;
mod deferred;
mod delegate;
mod deregister_node;
mod heartbeat;
mod jail;
mod jobs;
mod laws;
mod pick;
mod redelegate;
mod register_node;
mod rewards;
mod rotate_operator;
mod set_online;
mod slash;
mod slash_delegators;
mod stories;
mod tiers;
mod try_state;
mod try_state_pools;
mod unbond;
mod undelegate;
mod update_node;
mod withdraw_unbonded;
