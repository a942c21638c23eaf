//! `protein_historical_resolution`: retired accessions brought forward.

use super::action::{Action, Kind, Param};
use super::shared::{INPUT, OUTPUT, SHARE};

/// The action.
pub(super) const ACTION: Action = Action::new(
    "protein_historical_resolution",
    "Brings retired identifiers forward, with a confidence by how they were retired: <column>_current, <column>_verdict, <column>_confidence and <column>_note. An isoform of UniProt has the fate of its accession: it stays where that is in use; where another one has taken its place, that alone is current, as isoforms are numbered within an accession. Of these columns, what the input has already is called <column>_historical_current and so on.",
    &[
        INPUT,
        Param::new("column", Kind::Column, "The column.")
            .also(&["identifier_column"])
            .needed(),
        Param::new("namespace", Kind::Text, "The namespace of the identifiers.")
            .also(&["identifier_type"])
            .or("uniprot"),
        Param::new(
            "secondary",
            Kind::Path,
            "The table of retired identifiers, such as UniProt's `sec_ac.txt`, or sec2pri's tables (columns secondaryID, primaryID). Built in are those of hgnc, chebi and ncbigene; others must be named, here or by the option identifiers.secondary. It holds for the whole run.",
        )
        .also(&["secondary_path"]),
        Param::new(
            "primary_confidence",
            SHARE,
            "Of an identifier that is in use.",
        )
        .or("1.0"),
        Param::new(
            "secondary_confidence",
            SHARE,
            "Of one that was merged into another.",
        )
        .or("0.90"),
        Param::new(
            "demerged_confidence",
            SHARE,
            "Of one that was split into several.",
        )
        .or("0.85"),
        Param::new(
            "obsolete_confidence",
            SHARE,
            "Of one that nothing stands for any more.",
        )
        .or("0"),
        OUTPUT,
    ],
)
.also(&["historical_resolution"]);
