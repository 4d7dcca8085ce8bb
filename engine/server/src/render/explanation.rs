//! An explanation as text: what, by which rule, the arithmetic, and the evidence.

use super::Page;
use crate::answer::explanation::{ExplanationRow, HolderRow};
use std::io;

/// The most holders that are listed; the rest is counted.
const HOLDERS_MAX: usize = 40;

/// Writes an explanation.
pub(crate) fn explanation(page: &mut Page<'_>, row: &ExplanationRow) -> io::Result<()> {
    if let Some(discrepancy) = &row.discrepancy {
        page.heading(&format!(
            "{} {} (severity {}): {}",
            discrepancy.id,
            discrepancy.kind.replace('_', " "),
            discrepancy.severity,
            discrepancy.meaning
        ))?;
        if let Some(money) = &discrepancy.money_at_risk {
            page.line(&format!("  at risk: {money}"))?;
        }
        page.line(&format!("  goes when {}", discrepancy.clears_when))?;
    }
    if let Some(position) = &row.position {
        page.heading(&format!(
            "{} {}, {} at {}, {}: {}",
            position.id,
            position.product,
            position.metric.replace('_', " "),
            position.account,
            position.period,
            position.state.replace('_', " ")
        ))?;
    }
    list(page, "Rule", &row.rule)?;
    list(page, "Arithmetic", &row.arithmetic)?;
    lines(page, row)?;
    shares(page, "By account", &row.by_account)?;
    shares(page, "Passed up from accounts below", &row.passed_up)?;
    shares(page, "Metered, by account", &row.metered)?;
    holders(page, row)?;
    if !row.adjustments.is_empty() {
        page.heading("Late facts of the closed period")?;
        for late in &row.adjustments {
            page.line(&format!(
                "  {:>8}  {}:{}, arrived {}",
                late.delta, late.source, late.position, late.arrived_at
            ))?;
        }
    }
    Ok(())
}

fn list(page: &mut Page<'_>, heading: &str, lines: &[String]) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    page.heading(heading)?;
    for line in lines {
        page.line(&format!("  {line}"))?;
    }
    Ok(())
}

fn shares(
    page: &mut Page<'_>,
    heading: &str,
    rows: &[crate::answer::explanation::ShareRow],
) -> io::Result<()> {
    let lines: Vec<String> =
        rows.iter().map(|row| format!("{:>8}  {}", row.quantity, row.account)).collect();
    list(page, heading, &lines)
}

fn lines(page: &mut Page<'_>, row: &ExplanationRow) -> io::Result<()> {
    let lines: Vec<String> = row
        .lines
        .iter()
        .map(|line| {
            let from = line.start.as_deref().unwrap_or("always");
            let until = line.end.as_deref().unwrap_or("no end");
            let state = match (line.counts, line.in_force) {
                (false, _) => "not counted: a better basis exists",
                (true, true) => "in force",
                (true, false) => "not in force",
            };
            let used = match (&line.used, &line.reason) {
                (Some(used), Some(reason)) => {
                    format!(", serves {used} ({})", reason.replace('_', " "))
                }
                _ => String::new(),
            };
            let contract =
                line.contract.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
            let terms: String = line.terms.iter().map(|term| format!("; {term}")).collect();
            format!(
                "{:>8}  {} [{}{contract}], {from} to {until}, {state}{used}{terms}",
                line.grants, line.line, line.source
            )
        })
        .collect();
    list(page, "Lines", &lines)
}

fn holders(page: &mut Page<'_>, row: &ExplanationRow) -> io::Result<()> {
    if row.holders.is_empty() {
        return Ok(());
    }
    page.heading(&format!("Held at {}", row.at.as_deref().unwrap_or("that instant")))?;
    for holder in row.holders.iter().take(HOLDERS_MAX) {
        page.line(&format!("  {}", held(holder)))?;
    }
    let more = row.holders.len().saturating_sub(HOLDERS_MAX);
    if more > 0 {
        page.line(&format!("  … and {more} more; --json shows them"))?;
    }
    Ok(())
}

fn held(holder: &HolderRow) -> String {
    let cost = match holder.charged.as_str() {
        "0" => "shared",
        charged => charged,
    };
    let place = match &holder.session {
        Some(session) => {
            format!("since {}, {}:{}", session.start, session.source, session.position)
        }
        None => "seat".to_owned(),
    };
    let device =
        if holder.device.is_empty() { String::new() } else { format!("@{}", holder.device) };
    format!("{cost:>8}  {}{device} ({}), {place}", holder.user, holder.account)
}
