// SPDX-License-Identifier: Apache-2.0

mod bond_more;
mod deregister_node;
mod jobs;
mod pick;
mod register_node;
mod rotate_operator;
mod set_online;
mod slash;
mod stories;
mod try_state;
mod unbond;
mod update_node;
mod withdraw_unbonded;
