-- Which accessions stand behind composite ones?
--
--     biotide sql -f sql/queries/composite_accessions.sql
--
-- Olink joins the members of a complex with `_`, the tissue table with `, ` (in quotes, which a split
-- at commas breaks). A row for every member; isoforms (`O43521-2`) are no composites.

WITH accessions AS (
    SELECT 'olink' AS source, assay AS name, string_to_array(uniprot, '_') AS members
    FROM 'tests/data/olink/olink_protein_metadata.tsv'
    UNION ALL
    SELECT 'tissue', gene, string_to_array(uniprot, ', ')
    FROM 'tests/data/tissue/hpa_osps.csv'
)
SELECT source, name, cardinality(members) AS size, unnest(members) AS accession
FROM accessions
WHERE cardinality(members) > 1
ORDER BY source, name, accession;
