//! Volumes on the CPU: reslice, project, measure, segment, surface, plan, phantom.
