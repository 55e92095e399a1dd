select status, count(*) from {schema}.mail_deliveries group by status
