//! What a process is in a cluster.

use super::{Values, unquoted};
use std::time::Duration;
use trueup_policy::Policy;
use trueup_runtime::mesh::{Member, rules_of};

impl Values {
    /// What this process is in a cluster, if there is one; how long it waits is not known here.
    pub(super) fn member(
        &self,
        process: usize,
        workers: usize,
        policy: &Policy,
        problems: &mut Vec<String>,
    ) -> Option<Member> {
        let hosts = self.hosts(process, problems);
        let secret = self.cluster_secret(&hosts, problems);
        let certificates = self.process_certificates(&hosts, problems);
        (!hosts.is_empty()).then(|| Member {
            process,
            hosts,
            workers,
            secret: secret.unwrap_or_default(),
            build: [0; 32],
            rules: rules_of(policy),
            certificates,
            patience: Duration::ZERO,
        })
    }

    /// Where the processes of a cluster meet; nowhere if there is one process.
    fn hosts(&self, process: usize, problems: &mut Vec<String>) -> Vec<String> {
        let text = unquoted(self.text("cluster", "hosts"));
        let hosts: Vec<String> = text
            .split(',')
            .map(str::trim)
            .filter(|host| !host.is_empty())
            .map(str::to_owned)
            .collect();
        for host in &hosts {
            let port = host.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
            if port.is_none() {
                problems.push(format!("cluster.hosts has `{host}`, expected host:port"));
            }
        }
        if !hosts.is_empty() && process >= hosts.len() {
            problems.push(format!(
                "cluster.process is {process}, and cluster.hosts has {}",
                hosts.len()
            ));
        }
        hosts
    }

    fn cluster_secret(&self, hosts: &[String], problems: &mut Vec<String>) -> Option<Vec<u8>> {
        if !hosts.is_empty() && unquoted(self.text("cluster", "secret_file")).is_empty() {
            problems.push("cluster.secret_file is empty, and cluster.hosts is not".to_owned());
        }
        self.secret("cluster", "secret_file", problems)
    }
}
