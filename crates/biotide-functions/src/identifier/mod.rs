//! Biological identifiers: parse, validate, normalise.
//!
//! A bad value never fails a query: the answer is NULL, `false`, or a verdict. Semantics follow the
//! Bioregistry's, with its recorded defects mended; `SET biotide.identifiers.mode = 'bioregistry'` brings them
//! back for its users.

pub mod parser;
pub mod registry;

mod candidates;
mod cas;
mod cas_parse;
mod cas_valid;
mod chembl_normalize;
pub(crate) mod curie;
mod curie_is_standardizable;
mod curie_is_valid;
mod curie_normalize;
mod curie_parse;
mod curie_to_iri;
mod cutter;
mod dbsnp_normalize;
mod ensembl_parse;
mod hmdb_normalize;
mod id_is_valid;
mod id_kind;
mod id_list;
mod id_resolve;
mod id_split;
mod id_standardize;
mod inchikey_parts;
mod iri_standardize;
mod iri_to_curie;
mod kegg_parse;
mod known_namespaces;
mod level;
mod loinc_parse;
mod loinc_valid;
mod namespace;
pub(crate) mod on_invalid;
mod orcid_valid;
mod parse_identifier;
mod parse_identifiers;
mod parts;
mod prefix_normalize;
mod pubchem_normalize;
mod refseq_parse;
mod snomed_valid;
mod symbol_resolve;
pub(crate) mod tables;
pub(crate) mod uniprot_parse;
mod verdict;
mod written;

use crate::function::Spec;

pub use known_namespaces::KnownIdentifiers;
pub use namespace::unknown_namespace;

/// The functions.
pub(crate) fn specs() -> Vec<&'static Spec> {
    vec![
        &cas_parse::SPEC,
        &cas_valid::SPEC,
        &chembl_normalize::SPEC,
        &curie_is_standardizable::SPEC,
        &curie_is_valid::SPEC,
        &curie_normalize::SPEC,
        &curie_parse::SPEC,
        &curie_to_iri::SPEC,
        &dbsnp_normalize::SPEC,
        &ensembl_parse::SPEC,
        &hmdb_normalize::SPEC,
        &id_is_valid::SPEC,
        &id_kind::SPEC,
        &id_list::SPEC,
        &id_resolve::SPEC,
        &id_split::SPEC,
        &id_standardize::SPEC,
        &inchikey_parts::SPEC,
        &iri_standardize::SPEC,
        &iri_to_curie::SPEC,
        &kegg_parse::SPEC,
        &loinc_parse::SPEC,
        &loinc_valid::SPEC,
        &orcid_valid::SPEC,
        &parse_identifier::SPEC,
        &parse_identifiers::SPEC,
        &prefix_normalize::SPEC,
        &pubchem_normalize::SPEC,
        &refseq_parse::SPEC,
        &snomed_valid::SPEC,
        &symbol_resolve::SPEC,
        &uniprot_parse::SPEC,
    ]
}
