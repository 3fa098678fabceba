//! The shared and the static library of hongyan's C ABI, whose functions are in `src/capi`.
//!
//! They are a package of their own for what the linker makes of them: an `rlib` beside them would
//! switch link-time optimisation off, and this package's level of optimisation is that of the whole
//! library when it is linked, whatever its parts were compiled with.

pub use hongyan_core as hongyan;
