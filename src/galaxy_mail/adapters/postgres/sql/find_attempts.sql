select attempt_no, started_at, finished_at - started_at as duration, outcome, stage, blame, burned, ambiguous, code, enhanced,
       fault, detail, remote_id, worker, template_version
  from {schema}.mail_attempts
 where delivery_id = $1
 order by attempt_no
