//! `protein_extract_uniprot_from_xrefs`: accessions out of lists of cross-references.

use super::action::{Action, Kind, Param};
use super::shared::{INPUT, OUTPUT};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "protein_extract_uniprot_from_xrefs",
    "Takes the accessions out of lists such as `PR:P1|UniProtKB:P29460-2`.",
    &[
        INPUT,
        Param::new("column", Kind::Column, "The column of cross-references.")
            .also(&["xrefs_column", "source_column"])
            .needed(),
        Param::new("output_column", Kind::Column, "The column of accessions. Where the input has a column `uniprot`, the default is <column>_uniprot.").or("uniprot"),
        Param::new(
            "output_format",
            Kind::OneOf(&["list", "first", "expand_rows"]),
            "All of them as a list, the first, or a row of each.",
        )
        .or("list"),
        Param::new(
            "keep_isoforms",
            Kind::Boolean,
            "Keep the number of an isoform: `P29460-2`.",
        )
        .or("false"),
        Param::new("drop_na", Kind::Boolean, "Drop rows without an accession.").or("true"),
        OUTPUT,
    ],
);
