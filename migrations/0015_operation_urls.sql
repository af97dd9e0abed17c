-- Where ARM tells how its operation stands is signed: whoever reads it can ask in this service's place. It is of no use once the
-- operation has ended, and from this version on it goes with the end.
update operations set arm_operation_url = null
where arm_operation_url is not null and phase in ('succeeded', 'failed');
