//! Brings a cluster to a declared configuration of Perpetua: reads what is there, creates what is missing, changes what
//! may change in the program's own way, and refuses where something differs that never changes.

pub mod apply;
pub mod cluster;
mod compare;
mod decimal;
pub mod declaration;
pub mod plan;
pub mod report;
pub mod run;
pub mod settings;
