//! What Slurm tells of jobs, read from its own words.

/// One element of an array, as `squeue` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Job {
    /// The array's number.
    pub array: String,
    /// The job's name.
    pub name: String,
    /// Its index in the array.
    pub index: usize,
    /// `RUNNING` and so on.
    pub state: String,
    /// Why it waits, if so.
    pub reason: String,
}

/// How `squeue` is asked, with an element of an array in each line.
pub(super) const FORMAT: &str = "%F|%K|%T|%r|%j";

/// Reads what `squeue` says in that form. Lines that are none are left out.
pub(super) fn read(said: &str) -> Vec<Job> {
    let one = |line: &str| {
        let mut parts = line.trim().splitn(5, '|').map(str::to_owned);
        let (array, index, state) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        Some(Job { array, index, state, reason: parts.next()?, name: parts.next()? })
    };
    said.lines().filter_map(one).collect()
}

impl Job {
    /// Whether it still may work: in no state that is an end.
    pub fn is_live(&self) -> bool {
        const ENDS: [&str; 10] = [
            "BOOT_FAIL",
            "CANCELLED",
            "COMPLETED",
            "DEADLINE",
            "FAILED",
            "NODE_FAIL",
            "OUT_OF_MEMORY",
            "PREEMPTED",
            "REVOKED",
            "TIMEOUT",
        ];
        !ENDS.contains(&self.state.as_str())
    }

    /// Whether it waits for somebody to release it: Slurm could not start it, as after its own memory was lost.
    pub fn is_stuck(&self) -> bool {
        let reason = self.reason.replace('_', " ");
        self.state == "PENDING" && (reason.contains("launch failed requeued held") || reason == "JobHoldMaxRequeue")
    }

    /// What `scontrol` and `scancel` call it.
    pub fn id(&self) -> String {
        format!("{}_{}", self.array, self.index)
    }

    /// Whether it has begun.
    pub fn is_at_work(&self) -> bool {
        self.is_live() && self.state != "PENDING"
    }
}

/// `MaxArraySize` of what `scontrol show config` says, or Slurm's own default.
pub(super) fn max_array_size(said: &str) -> usize {
    let value = said.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "MaxArraySize").then(|| value.trim().parse().ok())?
    });
    value.filter(|n| *n > 0).unwrap_or(1001)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_read_line_by_line() {
        let said = "12|0|RUNNING|None|cutlayer-ab-0\n12|3|PENDING|Resources|cutlayer-ab-0\n9|N/A|RUNNING|None|other\n\
                    12|4|NODE_FAIL|None|cutlayer-ab-0\n12|5|PENDING|launch failed requeued held|cutlayer-ab-0\n";
        let jobs = read(said);
        assert_eq!(jobs.len(), 4, "what is no array is none of ours");
        assert_eq!((jobs[1].array.as_str(), jobs[1].index, jobs[1].reason.as_str()), ("12", 3, "Resources"));
        assert_eq!(jobs.iter().map(Job::is_live).collect::<Vec<_>>(), [true, true, false, true]);
        assert_eq!(jobs.iter().map(Job::is_stuck).collect::<Vec<_>>(), [false, false, false, true]);
        assert_eq!(jobs[3].id(), "12_5");
        assert_eq!(jobs.iter().map(Job::is_at_work).collect::<Vec<_>>(), [true, false, false, false]);
    }

    #[test]
    fn the_largest_array_is_found_in_the_configuration() {
        assert_eq!(max_array_size("MailProg = /bin/mail\nMaxArraySize            = 51\nMaxJobCount = 10000"), 51);
        assert_eq!(max_array_size("nothing"), 1001);
    }
}
