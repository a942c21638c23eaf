// A parser of identifiers of your own, and rules that make columns uniform.
// cargo run -p biotide-examples --example custom_parser

use std::sync::Arc;

use arrow::array::AsArray;
use biotide::prelude::*;

/// Samples of a study: `S-` and four digits, the last of which is the sum of the others modulo ten.
#[derive(Debug)]
struct Samples;

impl IdentifierParser for Samples {
    fn name(&self) -> &str {
        "samples"
    }

    fn types(&self) -> Vec<&str> {
        vec!["sample"]
    }

    fn parse(&self, text: &str) -> datafusion::error::Result<Option<Parsed>> {
        let upper = text.to_ascii_uppercase();
        let Some(digits) = upper.strip_prefix("S-").filter(|digits| digits.len() == 4) else {
            return Ok(None);
        };
        let digits: Option<Vec<u32>> = digits.chars().map(|c| c.to_digit(10)).collect();
        let check = |digits: &[u32]| digits[..3].iter().sum::<u32>() % 10 == digits[3];
        Ok(digits
            .filter(|digits| check(digits))
            .map(|digits| Parsed::ok(upper.clone(), 0.95).with("site", digits[0].to_string())))
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let biotide = BiotideContext::builder()
        .identifier_parser(Arc::new(Samples))
        .build()?;

    // The check digit of the second one is wrong.
    let sql =
        "SELECT parse_identifier(s, 'sample')['parsed'] FROM (VALUES ('s-1236'), ('S-1235')) t(s)";
    let mut query = biotide.sql(sql).await?;
    for batch in query.collect().await? {
        let samples: Vec<_> = batch.column(0).as_string::<i32>().iter().collect();
        assert_eq!(samples, [Some("S-1236"), None]);
    }

    // Rules on any query: they become a part of its plan.
    let rules = Rules::parse(
        "field_rules: [{source_field: sample, transformations: [strip, uppercase]}]",
        "in the program",
    )?;
    let rows = biotide.session().sql("SELECT ' s-1236' AS sample").await?;
    let rows = biotide.normalize(rows, &rules)?.collect().await?;
    assert_eq!(rows[0].column(0).as_string::<i32>().value(0), "S-1236");
    Ok(())
}
