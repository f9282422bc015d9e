//! Brings a cluster to a declared configuration of Perpetua: reads what is there, creates what is missing, and refuses
//! where something differs, since nothing can be changed once it is listed.

pub mod apply;
mod compare;
mod decimal;
pub mod declaration;
pub mod network;
pub mod plan;
pub mod report;
pub mod rpc;
pub mod settings;
