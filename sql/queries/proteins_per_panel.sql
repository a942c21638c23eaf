-- What does each panel of Olink Explore 3072 measure?
--
--     biotide sql -f sql/queries/proteins_per_panel.sql
--
-- Most assays are of one protein; some are of a complex (`Q14213_Q8NEV9`) or of an isoform (`O43521-2`).
-- Names match in any case: the file says `Panel` and `UniProt`.

SELECT
    panel,
    count(*) AS assays,
    count(DISTINCT uniprot) AS targets,
    count(*) FILTER (WHERE strpos(uniprot, '_') > 0) AS complexes,
    count(*) FILTER (WHERE strpos(uniprot, '-') > 0) AS isoforms
FROM 'tests/data/olink/olink_protein_metadata.tsv'
GROUP BY panel
ORDER BY panel;
