//! The debug log, by the example files and by invented lines.

mod cases;
mod real;
mod lines;
mod invariance;
mod hostile;
