-- Which assays are named by a symbol that HGNC has given up since, and what is the gene called now?
--
--     biotide sql -f sql/queries/renamed_genes.sql
--
-- HGNC's table is gzipped and holds previous symbols as a list joined by `|`.

WITH hgnc AS (
    SELECT hgnc_id, symbol, prev_symbol
    FROM 'tests/data/hgnc/hgnc_complete_set.tsv.gz'
),
previous AS (
    SELECT hgnc_id, symbol, unnest(string_to_array(prev_symbol, '|')) AS old_symbol
    FROM hgnc
),
assays AS (
    SELECT DISTINCT assay, uniprot AS accession
    FROM 'tests/data/olink/olink_protein_metadata.tsv'
)
SELECT assay, accession, symbol, hgnc_id
FROM assays JOIN previous ON old_symbol = assay
WHERE NOT EXISTS (SELECT 1 FROM hgnc WHERE hgnc.symbol = assay)
ORDER BY assay, symbol;
