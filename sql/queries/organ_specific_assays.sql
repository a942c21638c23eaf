-- Which organs could a blood test with Olink tell of: how many of the proteins that the Human Protein
-- Atlas finds in one organ only does it measure?
--
--     biotide sql -f sql/queries/organ_specific_assays.sql
--
-- Both sides are split into single accessions first, or composites would never meet.

WITH olink AS (
    SELECT DISTINCT unnest(string_to_array(uniprot, '_')) AS accession
    FROM 'tests/data/olink/olink_protein_metadata.tsv'
),
tissue AS (
    SELECT DISTINCT organ, unnest(string_to_array(uniprot, ', ')) AS accession
    FROM 'tests/data/tissue/hpa_osps.csv'
)
SELECT
    organ,
    count(*) AS specific,
    count(olink.accession) AS measured,
    round(100.0 * count(olink.accession) / count(*), 1) AS percent
FROM tissue LEFT JOIN olink ON olink.accession = tissue.accession
GROUP BY organ
ORDER BY measured DESC, organ;
