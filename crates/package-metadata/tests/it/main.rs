//! `package-metadata` against the rehearsal server, over real HTTP.

mod classic;
mod create;
mod refuse;
mod stage;
mod update;
