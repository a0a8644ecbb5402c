//! What outlives a restart, behind narrow traits so that a distributed engine can stand in
//! `SQLite`'s place.
