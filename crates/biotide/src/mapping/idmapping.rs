//! UniProt's tables of identifiers: `idmapping.dat` and `idmapping_selected.tab`.

use biotide_common::BiotideError;

use super::call::Call;
use super::cells::Cells;
use super::source::{Columns, EXACT, PLACES, Part, one_of_several, read_as, text};

const CLOSE: &str = "skos:closeMatch";
const RELATED: &str = "skos:relatedMatch";

/// Kinds of identifiers in UniProt's `idmapping.dat` whose prefix is not their name in lower case.
const TYPES: [(&str, &str, &str); 27] = [
    ("GeneID", "ncbigene", EXACT),
    ("RefSeq", "refseq", EXACT),
    ("RefSeq_NT", "refseq", RELATED),
    ("EMBL", "ena.embl", RELATED),
    ("EMBL-CDS", "ena.embl", EXACT),
    ("Ensembl", "ensembl", EXACT),
    ("Ensembl_TRS", "ensembl", EXACT),
    ("Ensembl_PRO", "ensembl", EXACT),
    ("NCBI_TaxID", "ncbitaxon", RELATED),
    ("MIM", "omim", RELATED),
    ("PubMed", "pubmed", RELATED),
    ("GO", "go", RELATED),
    ("UniRef100", "uniref", CLOSE),
    ("UniRef90", "uniref", RELATED),
    ("UniRef50", "uniref", RELATED),
    ("UniParc", "uniparc", EXACT),
    ("KEGG", "kegg.genes", EXACT),
    ("ChEMBL", "chembl.target", EXACT),
    ("PDB", "pdb", RELATED),
    ("PIR", "pir", EXACT),
    ("STRING", "string", EXACT),
    ("HGNC", "hgnc", EXACT),
    ("MGI", "mgi", EXACT),
    ("RGD", "rgd", EXACT),
    ("WormBase", "wormbase", EXACT),
    ("FlyBase", "flybase", EXACT),
    ("Reactome", "reactome", RELATED),
];

/// Kinds besides those whose identifiers are of the protein or its gene, and of one. What is not here, nor above, may be
/// of a family, a group, a pathway, an organism: those who have such a one in common are not the same.
const OF_ONE: [&str; 50] = [
    "AGR",
    "Allergome",
    "ArachnoServer",
    "Araport",
    "BioGRID",
    "BioGrid",
    "CCDS",
    "CGD",
    "CPTAC",
    "DIP",
    "DMDM",
    "DNASU",
    "DisProt",
    "EchoBASE",
    "EcoGene",
    "EnsemblGenome",
    "EnsemblGenome_PRO",
    "EnsemblGenome_TRS",
    "GI",
    "GeneCards",
    "GeneWiki",
    "GlyConnect",
    "GlyGen",
    "IDEAL",
    "LegioList",
    "Leproma",
    "MINT",
    "MaizeGDB",
    "OpenTargets",
    "PATRIC",
    "PharmGKB",
    "PomBase",
    "PseudoCAP",
    "SGD",
    "TAIR",
    "TubercuList",
    "UCSC",
    "VEuPathDB",
    "VGNC",
    "WBParaSite",
    "WBParaSite_PRO",
    "WBParaSite_TRS",
    "WormBase_PRO",
    "WormBase_TRS",
    "Xenbase",
    "ZFIN",
    "dictyBase",
    "euHCVdb",
    "neXtProt",
    "nextProt",
];

/// Kinds that are names, or numbers made of the sequence.
const NAMES: [&str; 6] = [
    "UniProtKB-ID",
    "Gene_Name",
    "Gene_Synonym",
    "Gene_OrderedLocusName",
    "Gene_ORFName",
    "CRC64",
];

/// Columns of UniProt's `idmapping_selected.tab`.
const SELECTED: [(&str, &str, &str); 18] = [
    ("c3", "ncbigene", EXACT),
    ("c4", "refseq", EXACT),
    ("c6", "pdb", RELATED),
    ("c7", "go", RELATED),
    ("c8", "uniref", CLOSE),
    ("c9", "uniref", RELATED),
    ("c10", "uniref", RELATED),
    ("c11", "uniparc", EXACT),
    ("c12", "pir", EXACT),
    ("c13", "ncbitaxon", RELATED),
    ("c14", "omim", RELATED),
    ("c16", "pubmed", RELATED),
    ("c17", "ena.embl", RELATED),
    ("c18", "ena.embl", EXACT),
    ("c19", "ensembl", EXACT),
    ("c20", "ensembl", EXACT),
    ("c21", "ensembl", EXACT),
    ("c22", "pubmed", RELATED),
];

impl Call {
    /// UniProt's `idmapping.dat` and `idmapping_selected.tab`.
    pub(super) fn idmapping(&self) -> Result<Vec<Part>, BiotideError> {
        let mut parts = Vec::new();
        for path in &self.paths {
            let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
            let is_selected = name.contains("selected");
            let columns = match is_selected {
                true => (1..=22)
                    .map(|n| format!("'c{n}'"))
                    .collect::<Vec<_>>()
                    .join(", "),
                false => "'c1', 'c2', 'c3'".to_owned(),
            };
            let options = format!(
                ", header => false, delimiter => 'tab', quote => 'none', all_text => true, column_names => [{columns}]{}",
                self.options
            );
            let (from, places) = (read_as("tsv", path, &options), PLACES);
            let subject = "'uniprot:' || c1";
            if is_selected {
                for (column, prefix, predicate) in SELECTED {
                    let mut others = self.others();
                    others.push(("predicate", text(predicate)));
                    // (A chain of a structure: `1ABC:A`.)
                    let from = match prefix {
                        "pdb" => format!(
                            "(SELECT * REPLACE (regexp_replace({column}, ':[^;]*', '', 'g') AS {column}) FROM {from})"
                        ),
                        _ => from.clone(),
                    };
                    let sql = one_of_several(&from, places, subject, column, &others);
                    parts.push((sql, Cells::of(Some(prefix)).between(";")));
                }
                continue;
            }
            let cases: String = TYPES
                .iter()
                .map(|(kind, prefix, _)| {
                    format!(
                        " WHEN {} THEN {} || c3",
                        text(kind),
                        text(&format!("{prefix}:"))
                    )
                })
                .collect();
            let known = TYPES.iter().map(|(kind, _, predicate)| (*kind, *predicate));
            let of_one = OF_ONE.iter().map(|kind| (*kind, EXACT));
            let predicates: String = known
                .chain(of_one)
                .map(|(kind, predicate)| format!(" WHEN {} THEN {}", text(kind), text(predicate)))
                .collect();
            let names = NAMES.map(text).join(", ");
            let others: String = self
                .others()
                .iter()
                .map(|(name, value)| format!(", {value} AS {name}"))
                .collect();
            let sql = format!(
                "SELECT {subject} AS subject, \
                 CASE WHEN c2 NOT IN ({names}) THEN CASE c2{cases} ELSE lower(c2) || ':' || c3 END END AS object, \
                 CASE c2{predicates} ELSE {} END AS predicate{others}{places} FROM {from}",
                text(RELATED)
            );
            parts.push((sql, Cells::default()));
        }
        let part = |(sql, object)| Part {
            sql,
            with_texts: None,
            origin: self.paths.join(", "),
            negated: false,
            columns: Columns::Named {
                subject: Cells::default(),
                object,
            },
            stated: [None, None],
        };
        Ok(parts.into_iter().map(part).collect())
    }
}
