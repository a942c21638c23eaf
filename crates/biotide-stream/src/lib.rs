//! Composable, bounded streams of record batches and processors over them.
