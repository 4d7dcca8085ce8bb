//! Workload R in files, for engines that are not programs of ours: one CSV file for each table.

use crate::workload::reconciliation::{Reconciliation, Row};
use std::fmt::Display;
use std::fs::File;
use std::io::{BufWriter, Result, Write as _};
use std::path::Path;

/// Writes all rows, and the tables as they are now, into a folder that is there.
///
/// # Errors
/// If the file system refuses.
pub fn write(stream: &Reconciliation, rows: &[Row], folder: &Path) -> Result<()> {
    let tables = stream.tables();
    let said = rows.iter().map(|row| {
        let Row { id, revision, alias, sku, user, device, quantity, .. } = row;
        let (month, times) = (row.month(), if row.is_taken_back { -1 } else { 1 });
        format!("{id},{revision},{month},{alias},{sku},{user},{device},{quantity},{times}")
    });
    let head = "id,revision,month,alias,sku,user,device,quantity,times";
    table(folder, "rows.csv", head, said)?;
    let parents = tables.parents.iter().map(|parent| {
        // A root has nothing above it.
        parent.map(|parent| parent.to_string()).unwrap_or_default()
    });
    table(folder, "accounts.csv", "account,parent", numbered(parents))?;
    table(folder, "aliases.csv", "alias,account", numbered(&tables.aliases))?;
    table(folder, "skus.csv", "sku,product", numbered(&tables.products))?;
    // Families are nodes of one tree with products, and come after them.
    let families = tables.families.iter().map(|family| stream.scale().products + family);
    table(folder, "families.csv", "product,family", numbered(families))?;
    let granted = tables.lines.iter().flat_map(|line| {
        let months = [0, 1].into_iter().filter(|month| line.months[*month]);
        months.map(|month| format!("{},{},{},{month}", line.account, line.product, line.quantity))
    });
    table(folder, "lines.csv", "account,product,quantity,month", granted)
}

fn numbered<T: Display>(rows: impl IntoIterator<Item = T>) -> impl Iterator<Item = String> {
    rows.into_iter().enumerate().map(|(number, row)| format!("{number},{row}"))
}

fn table(folder: &Path, name: &str, head: &str, rows: impl Iterator<Item = String>) -> Result<()> {
    let mut out = BufWriter::new(File::create(folder.join(name))?);
    writeln!(out, "{head}")?;
    for row in rows {
        writeln!(out, "{row}")?;
    }
    out.flush()
}
