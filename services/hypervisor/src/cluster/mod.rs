//! Several gateways with one store: each follows what the others change, and a change is answered
//! once all of them know.

mod follow;
mod known;
mod machines;

pub use follow::follow;
pub use known::answer_when_known;
pub use machines::Machines;
