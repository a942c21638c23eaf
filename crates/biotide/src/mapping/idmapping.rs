//! UniProt's tables of identifiers: `idmapping.dat` and `idmapping_selected.tab`.

use biotide_common::BiotideError;

use super::call::Call;
use super::cells::Cells;
use super::several::{Objects, Several};
use super::source::{Columns, EXACT, PLACES, Part, read_as, text};

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

/// What a file is whose name does not say `selected`.
const DAT: &str = "no idmapping.dat, which has 3 columns, without a header: accession, kind of identifier, identifier (that of \
     idmapping_selected.tab has its 22 columns under a name with 'selected')";

/// What others are.
const TAB: &str = "no idmapping_selected.tab, which has 22 columns, without a header (and is told from an idmapping.dat by \
     'selected' in its name)";

/// Subjects. (An empty cell is nothing, not an identifier without a local part.)
const SUBJECT: &str = "'uniprot:' || nullif(btrim(c1), '')";

impl Call {
    /// UniProt's `idmapping.dat` and `idmapping_selected.tab`.
    pub(super) fn idmapping(&self) -> Result<Vec<Part>, BiotideError> {
        let part = |path: &String| {
            let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
            let is_selected = name.contains("selected");
            let (columns, form) = match is_selected {
                true => (22, TAB),
                false => (3, DAT),
            };
            let from = self.uniprot(path, columns);
            let several = is_selected.then(selected);
            let sql = match &several {
                Some(several) => several.query(&from, PLACES, SUBJECT, &self.others()),
                None => self.dat(&from),
            };
            Part {
                sql,
                with_texts: None,
                own: None,
                origin: path.clone(),
                negated: false,
                columns: Columns::Named {
                    subject: Cells::default(),
                    object: Cells::default(),
                },
                several,
                form: Some(form),
                stated: [None, None],
            }
        };
        Ok(self.paths.iter().map(part).collect())
    }

    /// A file of UniProt's in SQL, with the columns `c1`, `c2`, ….
    fn uniprot(&self, path: &str, columns: usize) -> String {
        let names: Vec<String> = (1..=columns).map(|n| format!("'c{n}'")).collect();
        let options = format!(
            ", header => false, delimiter => 'tab', quote => 'none', all_text => true, column_names => [{}]{}",
            names.join(", "),
            self.options
        );
        read_as("tsv", path, &options)
    }

    /// The statements of an `idmapping.dat`.
    fn dat(&self, from: &str) -> String {
        let cases: String = TYPES
            .iter()
            .map(|(kind, prefix, _)| {
                let prefix = text(&format!("{prefix}:"));
                format!(" WHEN {} THEN {prefix} || {LOCAL}", text(kind))
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
        format!(
            "SELECT {SUBJECT} AS subject, \
             CASE WHEN c2 NOT IN ({names}) THEN CASE c2{cases} ELSE lower(c2) || ':' || {LOCAL} END END AS object, \
             CASE c2{predicates} ELSE {} END AS predicate{others}{PLACES} FROM {from}",
            text(RELATED)
        )
    }
}

/// The identifiers of an `idmapping.dat`.
const LOCAL: &str = "nullif(btrim(c3), '')";

/// The columns of an `idmapping_selected.tab`.
fn selected() -> Several {
    let objects = |(column, prefix, predicate): (&str, &str, &'static str)| Objects {
        cells: match prefix {
            // (A chain of a structure: `1ABC:A`.)
            "pdb" => format!("regexp_replace({column}, ':[^;]*', '', 'g')"),
            _ => column.to_owned(),
        },
        prefix: Some(prefix.to_owned()),
        predicate: Some(predicate),
    };
    Several {
        columns: SELECTED.into_iter().map(objects).collect(),
        separator: ";".to_owned(),
    }
}
