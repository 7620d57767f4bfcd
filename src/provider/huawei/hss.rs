//! HSS's operations. A new one is a file here and a line in each of the two lists.

pub mod tasks;

use crate::operation::Entry;

/// Every operation.
pub(super) static OPERATIONS: &[Entry] = &[Entry::of::<tasks::Tasks>()];
