/// The configuration of a client.
public struct Configuration: Sendable {
    public var accounts: [String: any Account]
    /// The fields beside the accounts, as they stand in a configuration, for instance `timeout_ms`.
    public var settings: [String: JSON]

    public init(accounts: [String: any Account], settings: [String: JSON] = [:]) {
        self.accounts = accounts
        self.settings = settings
    }

    public var json: JSON {
        let fields: [String: JSON] = ["v": 1, "accounts": .object(accounts.mapValues(\.json))]
        return .object(settings.merging(fields) { _, own in own })
    }
}

/// An account of a service, as it stands in a configuration: one of `Accounts`, or JSON.
public protocol Account: Sendable {
    var json: JSON { get }
}

extension JSON: Account {
    public var json: JSON { self }
}

/// How many attempts there are in some time, in place of what is documented.
public enum Rate: Sendable, Hashable {
    case limit(count: Int64, perMilliseconds: Int64)
    case noLimit

    fileprivate var json: JSON {
        switch self {
        case .limit(let count, let per): ["count": .int(count), "per_ms": .int(per)]
        case .noLimit: .null
        }
    }
}

/// What every account may have.
public struct AccountOptions: Sendable, Hashable {
    /// The recipient of messages that name none.
    public var to: To?
    public var rate: Rate?
    public var maxInFlight: Int64?
    /// The proxy that its requests go through, in place of the client's own.
    public var proxy: String?

    public init(to: To? = nil, rate: Rate? = nil, maxInFlight: Int64? = nil, proxy: String? = nil) {
        self.to = to
        self.rate = rate
        self.maxInFlight = maxInFlight
        self.proxy = proxy
    }

    /// An account with these options; fields that are nil are left out.
    func account(_ service: String, _ auth: JSON, _ own: [(String, JSON?)]) -> JSON {
        .fields(
            own + [
                ("service", .string(service)), ("auth", auth), ("to", to?.json), ("rate", rate?.json),
                ("max_in_flight", maxInFlight.map(JSON.int)), ("proxy", proxy.map(JSON.string)),
            ])
    }
}
