// The roles of orderstream in MongoDB, least privilege. With another ORDERSTREAM_MONGO_DATABASE change every "db".
// Run by an administrator, in the database that the users belong to (their authSource):
//   mongosh "mongodb://…/orderstream" deploy/security/mongo-role.js
// Then give a role to each user, for instance:
//   db.createUser({ user: "orderstream", pwd: passwordPrompt(), roles: ["orderstream-worker"] })

// For `orderstream run`, and for the commands that write: `topics --adopt`, `rejected replay`.
db.createRole({
  "role": "orderstream-worker",
  "privileges": [
    { "resource": { "db": "orderstream", "collection": "orders" }, "actions": ["find", "insert", "update", "createIndex"] },
    { "resource": { "db": "orderstream", "collection": "waiting" }, "actions": ["find", "insert", "update", "remove", "createIndex"] },
    { "resource": { "db": "orderstream", "collection": "worker" }, "actions": ["find", "insert", "update"] }
  ],
  "roles": []
});

// For the commands that only read: `show`, `explain`, `reemit`, `topics`, `rejected list`.
db.createRole({
  "role": "orderstream-reader",
  "privileges": [
    { "resource": { "db": "orderstream", "collection": "orders" }, "actions": ["find"] },
    { "resource": { "db": "orderstream", "collection": "waiting" }, "actions": ["find"] },
    { "resource": { "db": "orderstream", "collection": "worker" }, "actions": ["find"] }
  ],
  "roles": []
});
